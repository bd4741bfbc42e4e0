# Last step of every recipe: debugging information becomes files of its own, and modes become the usual ones.
# Reads OUT and STRIP (0|1). With STRIP=0 programs keep their debugging information.

# Names of files may hold anything but newlines; none of ours does.
elf_files() {
	find "$OUT/image" "$OUT/dev" -type f \( -perm -100 -o -name '*.so' -o -name '*.so.*' \) 2>/dev/null | sort
}

mkdir -p "$OUT/image" "$OUT/dev" "$OUT/debug"

if [ "$STRIP" = 1 ]; then
	elf_files | while read -r file; do
		# The note stands under the linker's build id; whatever has none is a script.
		id=$(readelf -n "$file" 2>/dev/null | sed -n 's/^ *Build ID: //p')
		[ -n "$id" ] || continue
		rest=${id#??}
		directory=$OUT/debug/usr/lib/debug/.build-id/${id%"$rest"}
		mkdir -p "$directory"
		objcopy --only-keep-debug "$file" "$directory/$rest.debug"
		chmod u+w "$file"
		strip --strip-unneeded "$file"
		# The link holds the base name and a checksum of the file; debuggers look below .build-id first.
		objcopy --add-gnu-debuglink="$directory/$rest.debug" "$file"
	done
	find "$OUT/dev" -type f -name '*.[ao]' -exec strip --strip-debug --enable-deterministic-archives {} +
fi

find "$OUT" -type d -exec chmod 755 {} +
find "$OUT/image" "$OUT/dev" -type f -perm /111 -exec chmod 755 {} +
find "$OUT/image" "$OUT/dev" -type f ! -perm /111 -exec chmod 644 {} +
find "$OUT/debug" -type f -exec chmod 644 {} +
