"""Apache Kafka itself as the broker of the local AWS: one process in KRaft mode, from pinned files of Maven's repository."""
