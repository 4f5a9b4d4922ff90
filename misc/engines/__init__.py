"""Stand-ins for Kafka, Snowflake, S3 and X, on 127.0.0.1, for try-outs and tests.

Each module has a context manager `embedded` that runs one and yields its settings by the names of
the environment variables that the programs read; `python -m misc.engines` runs all of them.
"""
