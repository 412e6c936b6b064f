"""The pages as people meet them: a real browser on the running product (`make test-pages`)."""
