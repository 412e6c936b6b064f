"""What laws give to the people whom a tenant knows: requests with deadlines, and one's data, shown or erased."""
