"""The consumer of the Customer-360 pipeline: from posts on Kafka to decisions in the data lake."""
