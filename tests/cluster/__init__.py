"""A real one-node Kubernetes for tests, built from source and run in namespaces of its own."""
