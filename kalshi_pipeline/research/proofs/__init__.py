"""Proofs that nothing looked ahead: rebuild from what was known, and see whether the past stays the past.

A proof takes data and the steps that turn it into results, and says where a result at an instant depends on something
that came later. It trusts no timestamp it can check by rebuilding.
"""
