"""What we expect of RDS."""
