"""The images of the pipeline, built by buildah on bases that are made here."""
