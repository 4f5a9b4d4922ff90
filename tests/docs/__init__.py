"""Tests of the documentation: it builds, its links lead somewhere, its commands run."""
