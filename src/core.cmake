# The allocator core.
