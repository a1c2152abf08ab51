"""Resources and requests that several integration tests of the local AWS need."""
