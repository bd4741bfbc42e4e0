import os, sys
import docopt
print(os.environ["GREETING"], docopt.__version__, sys.argv[1])
