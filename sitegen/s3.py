"""A client of whatever speaks S3: R2, Amazon, SeaweedFS, MinIO."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.config import Config


# Any: boto3 makes its clients when they are asked for, and has no types for them.
def open_s3(endpoint: str | None, *, keys: tuple[str, str] | None = None, config: "Config | None" = None) -> Any:
    """A client; without `keys` (id and secret) it finds them where all tools of Amazon's find them.

    `config` adds to what every server needs. Without an endpoint it is Amazon's.
    """
    # boto3 takes a tenth of a second to import, and most schools need none.
    import boto3
    from botocore.config import Config

    needed = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        # R2 and others refuse the checksums that newer clients add: https://github.com/boto/boto3/issues/4392
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"max_attempts": 3, "mode": "standard"},
    )
    key, secret = keys or (None, None)
    return boto3.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name="auto" if endpoint else None,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=needed.merge(config) if config else needed,
    )
