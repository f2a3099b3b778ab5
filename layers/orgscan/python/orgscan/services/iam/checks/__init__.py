"""What we expect of IAM."""
