"""From a file to chunks of whole records: unpack, recognise, cut."""
