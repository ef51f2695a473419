const maxPageSize = 1000;

export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string;
}

/** Fetches page after page, to the end or to `limit` items. */
export async function collectPages<Item>(
  fetchPage: (request: PageRequest) => Promise<Page<Item>>,
  limit: number = Number.POSITIVE_INFINITY,
): Promise<Item[]> {
  const items: Item[] = [];
  let pageToken = '';
  do {
    const pageSize = Math.min(maxPageSize, limit - items.length);
    const page = await fetchPage({ pageSize, pageToken });
    items.push(...page.items.slice(0, pageSize));
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && items.length < limit);
  return items;
}
