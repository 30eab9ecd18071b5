import { Injectable } from '@nestjs/common';
import { clientOf } from '@tidings/database';
import { type BatchContext, type BatchItem, OnMessages } from '@tidings/messaging';
import { addToWindows } from './sql/add-to-windows';
import { UserActed } from './user-acted';
import { windowCounts } from './window-counts';

export const GROUP = 'windows';

@Injectable()
export class CollectWindowsHandler {
  /** In the inbox's transaction: what is delivered again was counted, or was rolled back with its count. */
  @OnMessages(UserActed, { group: GROUP, batch: { size: 500, waitMs: 50 } })
  async collect(items: BatchItem<UserActed>[], context: BatchContext): Promise<void> {
    const counts = windowCounts(items.map(({ payload }) => payload));
    await addToWindows(clientOf(context), counts);
  }
}
