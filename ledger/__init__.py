"""The record: entries in a Merkle tree, signed checkpoints, proofs, audit, and the database they live in."""
