# Go: reads LINE and OUT; started in the source tree. A release leaves paths and debugging information out of its own
# programs, and they hold nothing of C, so no flags of C compilers matter here.
export GOROOT_BOOTSTRAP="/usr/lib/go-$LINE"

(cd src && bash make.bash)

# What only tests Go itself or describes it, and what make.bash leaves behind.
rm -rf api doc misc test pkg/bootstrap pkg/obj .gitattributes .github .gitignore

root=/usr/lib/go-$LINE
mkdir -p "$OUT/image/usr/bin" "$OUT/image$root" "$OUT/dev" "$OUT/debug"
cp -R . "$OUT/image$root/"
# Go finds its own tree through the links.
ln -s "../lib/go-$LINE/bin/go" "$OUT/image/usr/bin/go"
ln -s "../lib/go-$LINE/bin/gofmt" "$OUT/image/usr/bin/gofmt"
