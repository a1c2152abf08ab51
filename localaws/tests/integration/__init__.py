"""Tests of the local AWS as a server, through boto3."""
