# zlib: reads CFLAGS, CPPFLAGS, LDFLAGS, OUT, TRIPLET; started in the source tree.
libdir=/usr/lib/$TRIPLET

# Its configure knows no CPPFLAGS. The record of all flags is in the debugging information, so there always is some.
CFLAGS="-g $CPPFLAGS $CFLAGS" LDFLAGS="$LDFLAGS" ./configure --prefix=/usr --libdir="$libdir" --sharedlibdir="$libdir"
make -j"$(nproc)"
make install DESTDIR=/tmp/root

mkdir -p "$OUT/image$libdir" "$OUT/dev/usr" "$OUT/dev$libdir"
mv /tmp/root"$libdir"/libz.so.* "$OUT/image$libdir/"
mv /tmp/root/usr/include "$OUT/dev/usr/"
mv /tmp/root"$libdir"/libz.a /tmp/root"$libdir"/libz.so /tmp/root"$libdir"/pkgconfig "$OUT/dev$libdir/"
mkdir -p "$OUT/image/usr/share/doc/zlib"
cp LICENSE "$OUT/image/usr/share/doc/zlib/"
