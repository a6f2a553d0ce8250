"""In which form dates and times are read: FORMAT_MODULE_PATH puts this before what Django has for each language."""
