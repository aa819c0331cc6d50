"""What the API and the pages stand on: the door, the desk where questions are asked, lists, answers and problems."""
