"""What the step programs in `components/` share; copied beside each by `additional_includes`.

Nothing heavy is imported here: a step pays only for the modules that it imports itself.
"""

import os

# scikit-learn's trees are grown by OpenMP threads, which by default spin while they wait for each
# other. On a machine that does anything else besides, steps side by side for one, fits of a second
# then take ten. OpenMP reads this when it is loaded, so this comes before scikit-learn.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
