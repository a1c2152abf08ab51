"""The one place where MiniStack's behaviour is changed, because there it differs from AWS's.

Each mend replaces functions of MiniStack's for as long as a local AWS runs. They reach into internals, so the
version that they were written for is checked.
"""

from local.aws.ministack_mends.mending import Mending, check_version

__all__ = ["Mending", "check_version"]
