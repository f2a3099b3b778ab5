"""What we expect of S3."""
