"""The producer of the Customer-360 pipeline: from posts on X to messages on Kafka."""
