"""The assistant domain: a small closed world of requests, its dialogue policy and its sampler."""
