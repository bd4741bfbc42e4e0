NAME = 'as it was'
