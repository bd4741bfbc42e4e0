# CPython: reads CFLAGS, CPPFLAGS, FIPS, LDFLAGS, LINE, OUT, TRIPLET; started in the source tree.
python=python$LINE
lib=usr/lib/$python

set -- --prefix=/usr --without-ensurepip --disable-test-modules --with-system-expat --with-system-libmpdec=no
set -- "$@" --enable-loadable-sqlite-extensions --with-dbmliborder=bdb:gdbm
if [ "$FIPS" = 1 ]; then
	# Without hashes of its own, Python has those the provider gives and no others.
	set -- "$@" --with-builtin-hashlib-hashes=
	# Importing hashlib would then log a traceback for each hash that is missing, and leave its name out. Let the name be
	# there and raise ValueError when it is called, as hashlib.new does.
	sed -i -e 's/^        import logging$/        from functools import partial/' \
		-e 's/^        logging\.exception(.*/        globals()[__func_name] = partial(__py_new, __func_name)/' Lib/hashlib.py
	grep -qF 'partial(__py_new, __func_name)' Lib/hashlib.py
fi

# What configure would find out by running programs depends on the kernel, the devices and the niceness of the build.
# These are the answers of any Linux with /dev/shm, /dev/ptmx and a loopback interface, which a build does not have.
export ac_cv_posix_semaphores_enabled=yes ac_cv_broken_sem_getvalue=no ac_cv_buggy_getaddrinfo=no ac_cv_broken_poll=no
export ac_cv_file__dev_ptmx=yes ac_cv_file__dev_ptc=no ac_cv_broken_nice=no ac_cv_working_tzset=yes

# As NODIST the flags are used for Python itself and are not handed on to extension modules compiled later.
CFLAGS_NODIST="-g $CPPFLAGS $CFLAGS" LDFLAGS_NODIST="$LDFLAGS"
export CFLAGS_NODIST LDFLAGS_NODIST
unset CFLAGS CPPFLAGS LDFLAGS

./configure "$@"
make -j"$(nproc)"
make altinstall DESTDIR=/tmp/root
cd /tmp/root

# Byte code is made when an image is put together. What needs Tk is of no use without it.
find . -name __pycache__ -prune -exec rm -r {} +
(cd "$lib" && rm -rf idlelib tkinter turtledemo turtle.py ensurepip test)
rm -rf usr/bin/idle* usr/share

config=$lib/config-$LINE-$TRIPLET
ln -sf "../../libpython$LINE.a" "$config/libpython$LINE.a"
mkdir -p "$OUT/image/usr/bin" "$OUT/image/usr/lib" "$OUT/dev/usr/bin" "$OUT/dev/$lib"
mv "usr/bin/$python-config" "$OUT/dev/usr/bin/"
mv usr/include "$OUT/dev/usr/"
mv "$config" "$OUT/dev/$lib/"
mv usr/lib/pkgconfig "usr/lib/libpython$LINE.a" "$OUT/dev/usr/lib/"
mv "usr/bin/$python" "usr/bin/pydoc$LINE" "$OUT/image/usr/bin/"
mv "$lib" "$OUT/image/usr/lib/"
