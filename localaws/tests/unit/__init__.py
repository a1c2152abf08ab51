"""Tests of single modules of the local AWS, without a server."""
