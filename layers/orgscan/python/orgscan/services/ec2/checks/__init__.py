"""What we expect of EC2, EBS and VPC."""
