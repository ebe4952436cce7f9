-- Shops that send webhooks; their secrets are sealed under the master keys.
CREATE TABLE shops (
    shop       text        PRIMARY KEY,
    settings   json        NOT NULL,
    secrets    bytea       NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);

-- What a shop calls its variants (or `product:<id>`), and the sku of each; '' ships nothing.
CREATE TABLE shop_skus (
    shop text NOT NULL,
    key  text NOT NULL,
    sku  text NOT NULL,
    PRIMARY KEY (shop, key)
);

-- Orders of which a delivery did not tell enough, until they have been read from the shop.
CREATE TABLE orders_to_fetch (
    shop     text        NOT NULL,
    number   text        NOT NULL,
    why      text        NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop, number)
);
