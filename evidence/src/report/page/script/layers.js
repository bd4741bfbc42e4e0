// The layers of each image, in the order they are put on each other.

function layerTables() {
  return images.map((image, index) => {
    const below = image.layers.map(() => ({ files: 0, size: 0 }));
    for (const file of image.files) {
      if (!below[file[2]]) continue;
      below[file[2]].files += 1;
      below[file[2]].size += file[1];
    }
    const columns = [
      { title: "Layer", value: (row) => row },
      { title: "What", value: (row) => image.layers[row].title },
      { title: "Files", value: (row) => below[row].files, number: true },
      { title: "Unpacked", value: (row) => below[row].size, cell: (row) => bytes(below[row].size), number: true },
      {
        title: "Compressed",
        value: (row) => image.layers[row].size,
        cell: (row) => bytes(image.layers[row].size),
        number: true,
      },
      {
        title: "Digest",
        value: (row) => image.layers[row].digest,
        cell: (row) => digest(image.layers[row].digest, true),
        plain: true,
      },
    ];
    const caption = `Layers of the ${imageKeys()[index]} image: ${numbers.format(image.layers.length)}`;
    return table({ key: `layers-${index}`, caption, columns, rows: [...image.layers.keys()] });
  });
}

function layersPage(beyond) {
  return beyond.length > 0 ? null : { title: "Layers", content: layerTables() };
}
