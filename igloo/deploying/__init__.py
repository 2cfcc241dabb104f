"""What brings igloo to AWS, from the machine of whoever deploys: `make deploy`, `make secrets`."""
