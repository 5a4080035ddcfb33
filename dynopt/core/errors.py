"""The errors that a wrong declaration or a wrong call raises: subject, what was found, what was expected, what to write."""


class RuleError(ValueError):
    """A rule is declared or used in a way that its mathematics does not allow."""


class ParameterError(ValueError):
    """A value given to a rule, a problem or a run lies outside its range or has the wrong name or shape."""


class ParameterTypeError(ParameterError, TypeError):
    """A value given to a rule, a problem or a run is of the wrong type."""
