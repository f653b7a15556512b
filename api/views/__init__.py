"""One module a noun, one class a path: parse, call one function of the domain, answer."""
