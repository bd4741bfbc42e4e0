# The last step of OpenSSL: with FIPS=1 writes the FIPS provider's configuration and makes it the one that is used.
# Reads FIPS, OUT and TRIPLET. The provider's file must not change afterwards: its checksum is in the configuration.
[ "$FIPS" = 1 ] || exit 0

libdir=$OUT/image/usr/lib/$TRIPLET
configuration=$OUT/image/etc/ssl/openssl.cnf

# Runs the provider's self tests. That they passed here is not written down, so they run wherever it is loaded: a machine
# may not rely on the tests of another.
LD_LIBRARY_PATH=$libdir "$OUT/image/usr/bin/openssl" fipsinstall -self_test_onload \
	-module "$libdir/ossl-modules/fips.so" -out "$OUT/image/usr/lib/ssl/fipsmodule.cnf"

# Two providers are active: fips, and base, which reads and writes keys and has no cryptography.
sed -i \
	-e 's|^# \.include fipsmodule\.cnf$|.include /usr/lib/ssl/fipsmodule.cnf|' \
	-e 's/^providers = provider_sect$/&\nalg_section = algorithm_sect/' \
	-e 's/^# fips = fips_sect$/fips = fips_sect/' \
	-e 's/^default = default_sect$/base = base_sect/' \
	-e 's/^\[default_sect\]$/[base_sect]/' \
	-e 's/^# activate = 1$/activate = 1/' "$configuration"
printf '\n[algorithm_sect]\ndefault_properties = fips=yes\n' >>"$configuration"

# What the upstream file says may change; then nothing above matched.
for line in '.include /usr/lib/ssl/fipsmodule.cnf' 'alg_section = algorithm_sect' 'fips = fips_sect' \
	'base = base_sect' '[base_sect]' 'activate = 1'; do
	grep -qxF "$line" "$configuration"
done
