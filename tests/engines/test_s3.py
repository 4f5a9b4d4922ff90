"""The embedded store serves the real client."""

from __future__ import annotations

from typing import Any

import boto3

from misc.engines import s3


def client(settings: dict[str, str]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=settings["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        region_name=settings["AWS_REGION"],
    )


def test_files_are_kept_with_the_same_etag_until_they_change() -> None:
    with s3.embedded(["geo", "other"]) as settings:
        store = client(settings)
        assert settings["GEO_BUCKET"] == "geo"
        assert [each["Name"] for each in store.list_buckets()["Buckets"]] == ["geo", "other"]
        etags = []
        for body in (b"one", b"one", b"two"):
            store.put_object(Bucket="geo", Key="in/Geo 1.dat", Body=body)
            (found,) = store.list_objects_v2(Bucket="geo", Prefix="in/Geo")["Contents"]
            etags.append(found["ETag"])
        assert found["Key"] == "in/Geo 1.dat"
        assert etags[0] == etags[1] != etags[2]
        assert store.get_object(Bucket="geo", Key="in/Geo 1.dat")["Body"].read() == b"two"
