# What `template.yaml` and `image.yaml` say, for `nix-instantiate --eval --strict --json`. That a parameter is missing or
# unknown is noticed; nothing else is checked of them.
let
  sets = (builtins.fromJSON (builtins.readFile ./sets.json)).sets;

  toUpper = builtins.replaceStrings
    [ "a" "b" "c" "d" "e" "f" "g" "h" "i" "j" "k" "l" "m" "n" "o" "p" "q" "r" "s" "t" "u" "v" "w" "x" "y" "z" ]
    [ "A" "B" "C" "D" "E" "F" "G" "H" "I" "J" "K" "L" "M" "N" "O" "P" "Q" "R" "S" "T" "U" "V" "W" "X" "Y" "Z" ];

  template = select@{ python, architecture, flavour, set }: {
    inherit select;
    image = {
      name = "svc-${flavour}-${set}";
      description = "A service, ${toUpper flavour}";
      base = { language = "python"; version = python; };
      packages = sets.${set};
      system_packages = [ "libpq5 (>= 15)" ];
      architectures = [ architecture ];
      run = {
        command = [ "python3" "-m" "service" ];
        env = {
          FLAVOUR = flavour;
          MODE = if flavour == "plain" then "quiet" else "loud";
        };
        ports = [ 8000 ];
      };
    };
  };

  each = values: make: builtins.concatMap make values;
in
each [ "3.13" "3.13.5" ] (python:
  each [ "amd64" "arm64" ] (architecture:
    each [ "plain" "sweet" "sour" ] (flavour:
      map (set: template { inherit python architecture flavour set; }) (builtins.attrNames sets))))
