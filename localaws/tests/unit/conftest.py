"""Settings of Hypothesis where no project around this one has chosen any."""

from hypothesis import settings

if settings.get_current_profile_name() == "default":
    # How long an example takes says more about the machine than about the code.
    settings.register_profile("localaws", deadline=None)
    settings.load_profile("localaws")
