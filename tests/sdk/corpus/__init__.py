"""Cases: each function takes an SDK and gives a component or pipeline to compile."""


def variants(values):
    """Makes one case of each value; the function takes it after the SDK. Names are those of a dictionary, or numbers."""
    if not isinstance(values, dict):
        values = {str(place): value for place, value in enumerate(values)}

    def decorate(function):
        function.variants = {
            name: (lambda sdk, value=value: function(sdk, value)) for name, value in values.items()
        }
        return function

    return decorate


def names_vary(function):
    """Marks a case whose names differ from one run of kfp to the next: it renames in the order of a hash map."""
    function.names_vary = True
    return function
