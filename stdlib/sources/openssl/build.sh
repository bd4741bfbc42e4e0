# OpenSSL: reads ARCH, CFLAGS, CPPFLAGS, FIPS, LDFLAGS, OUT, TRIPLET; started in the source tree.
libdir=/usr/lib/$TRIPLET

case $ARCH in
amd64) target=linux-x86_64 ;;
arm64) target=linux-aarch64 ;;
esac

set -- --prefix=/usr --openssldir=/usr/lib/ssl --libdir="lib/$TRIPLET"
# Which functions there are is as Debian has it, so that its libraries find what they were linked to.
set -- "$@" no-idea no-mdc2 no-rc5 no-ssl3 no-ssl3-method enable-rfc3779 enable-cms enable-ec_nistp_64_gcc_128
# Compression in TLS is unsafe and nothing in an image asks for it; nor are there engines for hardware, nor tests.
set -- "$@" no-zlib no-capieng no-padlockeng no-afalgeng no-tests
[ "$FIPS" = 0 ] || set -- "$@" enable-fips

# These flags take the place of Configure's own -O3.
./Configure "$target" shared "$@" CPPFLAGS="$CPPFLAGS" CFLAGS="-g $CFLAGS" LDFLAGS="$LDFLAGS"
# Static libraries would be compiled by themselves, which takes as long as all else, and their users could not be mended
# by a newer OpenSSL.
make -j"$(nproc)" build_sw LIBS=
make install_sw install_ssldirs DESTDIR=/tmp/root LIBS= INSTALL_LIBS=

root=/tmp/root
mkdir -p "$OUT/image/usr/bin" "$OUT/image$libdir" "$OUT/image/usr/lib/ssl" "$OUT/image/etc/ssl" "$OUT/dev/usr" "$OUT/dev$libdir"
mv $root/usr/bin/openssl "$OUT/image/usr/bin/"
mv $root"$libdir"/lib*.so.* $root"$libdir"/ossl-modules $root"$libdir"/engines-3 "$OUT/image$libdir/"
mv $root/usr/include "$OUT/dev/usr/"
mv $root"$libdir"/*.so $root"$libdir"/pkgconfig "$OUT/dev$libdir/"
[ "$FIPS" = 0 ] || cp providers/fips.so "$OUT/image$libdir/ossl-modules/"
mkdir -p "$OUT/image/usr/share/doc/openssl"
cp LICENSE.txt "$OUT/image/usr/share/doc/openssl/"
# As Debian has it: the configuration is in /etc.
mv $root/usr/lib/ssl/openssl.cnf "$OUT/image/etc/ssl/"
ln -s /etc/ssl/openssl.cnf "$OUT/image/usr/lib/ssl/openssl.cnf"
