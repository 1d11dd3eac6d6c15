"""Pictures and how they are read, cut, named and compared, whatever source they are of."""
