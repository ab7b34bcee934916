from visioncircuits.cli.reproduce import article

if __name__ == "__main__":
    article("building-blocks")
