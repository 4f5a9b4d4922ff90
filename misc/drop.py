"""Drop files into the bucket, as whoever delivers addresses does: `python -m misc.drop FILE…`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

NAME = "drop"


def main() -> int:
    """Upload each file under its own name; say what came where."""
    parser = argparse.ArgumentParser(prog=f"python -m misc.{NAME}", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    files = parser.parse_args().files
    bucket = os.environ.get("GEO_BUCKET")
    if not bucket:
        parser.error("GEO_BUCKET is not set; `python -m misc.engines` prints embedded settings")
    if missing := [path for path in files if not path.is_file()]:
        parser.error(f"{missing[0]}: there is no such file")
    import boto3
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    client = boto3.client("s3")
    for path in files:
        try:
            client.upload_file(str(path), bucket, path.name)
        except (Boto3Error, BotoCoreError, ClientError) as error:
            print(f"{NAME}: error: {path}: {' '.join(str(error).split())[:300]}", file=sys.stderr)
            return 3
        print(f"{NAME}: {path.name}: {path.stat().st_size:,} bytes to s3://{bucket}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
