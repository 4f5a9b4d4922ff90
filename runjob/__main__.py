"""`python3 -m runjob`."""

from runjob.process import start

if __name__ == "__main__":
    start()
