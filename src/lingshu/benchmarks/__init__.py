"""Benchmarks: held-out items as samples, one record each; what is scored is what training is checked against."""
