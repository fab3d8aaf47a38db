"""The bus between processes: Apache Kafka, behind the same ports as the bus within one."""
