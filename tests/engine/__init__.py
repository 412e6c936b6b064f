"""The product's engine on one connection, so that a test's rollback takes back what every place did."""
