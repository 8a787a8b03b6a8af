"""What the step programs in `components/` share; copied beside each by `additional_includes`.

Nothing heavy is imported here: a step pays only for the modules that it imports itself.
"""
