print("batch")
