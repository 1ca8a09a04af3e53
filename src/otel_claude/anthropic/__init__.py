"""The patches of the Anthropic SDK: they gather facts into the record of a call, and decide nothing else."""
